# apps/hello.js for Puma, which leaves Date to the app. One of each second is enough, as for everybody else.
require 'time'

body = "Hello, world!\n"
second = 0
date = ''
run(lambda do |_env|
  now = Time.now
  unless now.to_i == second
    second = now.to_i
    date = now.httpdate
  end
  [200, { 'Content-Type' => 'text/plain', 'Content-Length' => body.bytesize.to_s, 'Date' => date }, [body]]
end)
