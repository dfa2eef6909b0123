//! Language tags: spellings and fallbacks.

use normalize::LanguageTag;

fn parsed(text: &str) -> Option<String> {
    LanguageTag::parse(text).map(|tag| tag.to_string())
}

#[test]
fn every_code_of_the_helpdesks_is_understood() {
    let zendesk = "\
        ar=ar bg=bg cs=cs da=da de=de el=el en-gb=en-GB en-us=en-US es=es fi=fi fr=fr \
        fr-ca=fr-CA he=he hi=hi hu=hu id=id it=it ja=ja ko=ko nl=nl no=nb pl=pl pt-br=pt-BR \
        ro=ro ru=ru sv=sv th=th tr=tr uk=uk vi=vi zh-cn=zh-Hans zh-tw=zh-Hant en-ca=en-CA pt=pt \
        es-419=es-419 es-es=es-ES fil=fil ms=ms en-US=en-US";
    let freshworks = "\
        en=en ar=ar ca=ca cs=cs cy-GB=cy-GB da=da de=de es=es es-LA=es-419 et=et fi=fi fr=fr \
        he=he hu=hu id=id it=it ja-JP=ja-JP ko=ko LV=lv nb-NO=nb-NO nl=nl pl=pl pt=pt \
        pt-BR=pt-BR pt-PT=pt-PT ru-RU=ru-RU sk=sk sk-SK=sk-SK sl=sl sv-SE=sv-SE th=th tr=tr \
        UK=uk vi=vi zh-CN=zh-Hans zh-TW=zh-Hant";
    let gorgias = "\
        af=af ar=ar bg=bg bn=bn ca=ca cs=cs cy=cy da=da de=de el=el en=en es=es et=et fa=fa \
        fi=fi fr=fr gu=gu he=he hi=hi hr=hr hu=hu id=id it=it ja=ja kn=kn ko=ko lt=lt lv=lv \
        mk=mk ml=ml mr=mr ne=ne nl=nl no=nb pa=pa pl=pl pt=pt ro=ro ru=ru sk=sk sl=sl so=so \
        sq=sq sv=sv sw=sw ta=ta te=te th=th tl=fil tr=tr uk=uk ur=ur vi=vi zh-cn=zh-Hans \
        zh-tw=zh-Hant";
    for pair in [zendesk, freshworks, gorgias].iter().flat_map(|list| list.split_whitespace()) {
        let (sent, meant) = pair.split_once('=').unwrap();
        assert_eq!(parsed(sent).as_deref(), Some(meant), "{sent}");
        assert_eq!(parsed(meant).as_deref(), Some(meant), "{meant} is not canonical");
    }
}

#[test]
fn other_spellings_are_understood() {
    for (sent, meant) in [
        (" pt_BR ", "pt-BR"),
        ("EN", "en"),
        ("en_US.UTF-8", "en-US"),
        ("de_DE@euro", "de-DE"),
        ("fr-CH, fr;q=0.9", "fr-CH"),
        ("en-uk", "en-GB"),
        ("iw", "he"),
        ("iw-IL", "he-IL"),
        ("in", "id"),
        ("in-ID", "id-ID"),
        ("nn", "nb"),
        ("nn-NO", "nb-NO"),
        ("tl", "fil"),
        ("eng", "en"),
        ("zh", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans-CN", "zh-Hans"),
        ("zh_hans", "zh-Hans"),
        ("zh-hk", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh-Hans-HK", "zh-Hans"),
        ("sr-latn-rs", "sr-Latn-RS"),
        ("es-mx", "es-MX"),
        ("de-DE-1996", "de-DE"),
        ("en-US-u-ca-gregory", "en-US"),
        ("English", "en"),
        ("ENGLISH", "en"),
        ("français", "fr"),
        ("Deutsch", "de"),
        ("Español", "es"),
        ("日本語", "ja"),
        ("简体中文", "zh-Hans"),
        ("עברית", "he"),
        ("English (United Kingdom)", "en-GB"),
        ("English (US)", "en-US"),
        ("Português (Brasil)", "pt-BR"),
        ("Portuguese - Brazil", "pt-BR"),
        ("Brazilian Portuguese", "pt-BR"),
        ("Chinese (Simplified)", "zh-Hans"),
        ("Chinese (Traditional)", "zh-Hant"),
        ("Español (Latinoamérica)", "es-419"),
        ("German (Somewhere)", "de"),
        ("العربية", "ar"),
        ("Norsk", "nb"),
    ] {
        assert_eq!(parsed(sent).as_deref(), Some(meant), "{sent}");
    }
    for nothing in [
        "",
        " ",
        "None",
        "null",
        "undefined",
        "{{ticket.requester.locale}}",
        "-",
        "xx",
        "Klingonese",
        "en-",
        "en--US",
        "e",
        "12",
        "en-\u{0}x",
        "🦊",
    ] {
        assert_eq!(parsed(nothing), None, "{nothing}");
    }
}

#[test]
fn fallbacks_are_the_parents_best_first() {
    for (sent, chain) in [
        ("en", "en"),
        ("en-US", "en-US en"),
        ("en-AU", "en-AU en-GB en"),
        ("en-IE", "en-IE en-GB en"),
        ("en-GB", "en-GB en"),
        ("en-CA", "en-CA en"),
        ("es", "es"),
        ("es-MX", "es-MX es-419 es"),
        ("es-CO", "es-CO es-419 es"),
        ("es-LA", "es-419 es"),
        ("es-ES", "es-ES es"),
        ("pt", "pt pt-BR"),
        ("pt-BR", "pt-BR pt"),
        ("pt-PT", "pt-PT pt pt-BR"),
        ("pt-AO", "pt-AO pt-PT pt pt-BR"),
        ("zh-cn", "zh-Hans"),
        ("zh-tw", "zh-Hant"),
        ("zh-Hans-CN", "zh-Hans"),
        ("no", "nb"),
        ("nb-NO", "nb-NO nb"),
        ("sr-Latn-RS", "sr-Latn-RS sr-Latn sr"),
        ("fr-CA", "fr-CA fr"),
        ("ja-JP", "ja-JP ja"),
    ] {
        let tags = LanguageTag::parse(sent).unwrap().fallbacks();
        assert_eq!(
            tags.iter().map(LanguageTag::as_str).collect::<Vec<_>>().join(" "),
            chain,
            "{sent}"
        );
    }
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,40}") {
        if let Some(tag) = LanguageTag::parse(&text) {
            proptest::prop_assert_eq!(LanguageTag::parse(tag.as_str()), Some(tag.clone()));
            proptest::prop_assert_eq!(&tag.fallbacks()[0], &tag);
        }
    }
}
