// Runs tests one after the other, and says how each ended. The process fails if one of them does.

let [passed, failed] = [0, 0];
process.on('exit', (code) => {
  process.exitCode = code || failed ? 1 : 0;
  console.log(`${passed} passed, ${code && !failed ? 1 : failed} failed`);
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

// `tests`: functions by what they show. `only`: a part of the names of those to run.
export async function run(tests, only = '') {
  for (const [name, test] of Object.entries(tests).filter(([name]) => name.includes(only))) {
    const start = Date.now();
    try {
      await test();
      passed += 1;
      console.log(`ok      ${name} (${Date.now() - start} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
}
