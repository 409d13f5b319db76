# apps/overload.mjs for Puma.
places = SizedQueue.new(10)
clock = Process::CLOCK_THREAD_CPUTIME_ID
run lambda { |env|
  case env['PATH_INFO']
  when '/cpu'
    finish = Process.clock_gettime(clock) + 0.01
    nil while Process.clock_gettime(clock) < finish
  when '/pool'
    places.push(1)
    sleep 0.1
    places.pop
  end
  [200, { 'Content-Type' => 'text/plain' }, ["done\n"]]
}
