# apps/hang.js for Puma. A loop of Ruby does not stop the other threads; a large power does, for more than a minute, as it keeps
# the interpreter's lock.
run lambda { |env|
  3.pow((10**2_000_000) - 1, (10**3000) + 7) if env['PATH_INFO'] == '/hang'
  sleep 3600 if env['PATH_INFO'] == '/wait'
  [200, { 'Content-Type' => 'text/plain' }, ["fine\n"]]
}
