#!/usr/bin/env ruby
# frozen_string_literal: true

# Asks for one survey, reads what became of it, and reads the export of answers.
# Needs Ruby 2.7 or newer and nothing else. Usage: client.rb [INTERACTION]

require 'json'
require 'net/http'

URL = URI(ENV.fetch('AFTERWORD_URL', 'http://127.0.0.1:3000'))
KEY = ENV.fetch('AFTERWORD_KEY', 'aw_live_local')
LIMIT = ENV.fetch('AFTERWORD_LIMIT', '1000')
ATTEMPTS = 6
NO_ANSWER = [SystemCallError, SocketError, EOFError, Net::OpenTimeout, Net::ReadTimeout].freeze

# The reply, or nil if there was none.
def attempt(request)
  Net::HTTP.start(URL.host, URL.port, use_ssl: URL.scheme == 'https', read_timeout: 30,
                                      max_retries: 0) { |http| http.request(request) }
rescue *NO_ANSWER
  nil
end

# The JSON reply. Repeats after a 429, a 5xx or no answer; any other error is the caller's.
def call(request)
  request['x-api-key'] = KEY
  ATTEMPTS.times do |n|
    reply = attempt(request)
    return JSON.parse(reply.body) if reply.is_a?(Net::HTTPSuccess)

    passing = reply.nil? || reply.code == '429' || reply.code >= '500'
    abort "#{request.path}: #{reply&.code} #{reply&.body}" if !passing || n + 1 == ATTEMPTS
    sleep((reply && reply['retry-after'] || 2**n).to_i)
  end
end

# Records a request. The Idempotency-Key names this call: a repetition asks nobody twice.
def ask(interaction)
  post = Net::HTTP::Post.new('/v1/requests', 'content-type' => 'application/json',
                                             'idempotency-key' => "client.rb-#{interaction}")
  post.body = JSON.generate(
    channel: 'email', ext_interaction_id: interaction,
    customer: { name: 'Sam', email: 'sam@customers.example' },
    employee: { email: 'paul@blancapeak.example' }
  )
  call(post)
end

# Every answer after a sequence_id. Keep the last one, and start from there next time.
def answers(after = 0)
  while after
    page = call(Net::HTTP::Get.new("/v2/data?after=#{after}&limit=#{LIMIT}"))
    page['data'].each { |answer| yield answer }
    after = page['next']
  end
end

recorded = ask(ARGV.fetch(0, '1001'))
request = call(Net::HTTP::Get.new("/v1/requests/#{recorded['request_id']}"))
puts "request #{request['request_id']} #{request['status']} #{request['reason']}"
answers do |answer|
  option = answer['answers']['agent_star_rating']['selected_options'].values.first
  puts "answer #{answer['uuid']} #{option['integer_value']}"
end
