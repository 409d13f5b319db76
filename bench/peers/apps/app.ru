# The routes (routes.mjs) for Puma.
require 'json'
require 'logger'
require 'zlib'

RELEASE = File.read(ENV.fetch('RELEASE_FILE')).strip
raise 'this release is broken' if RELEASE == 'broken'

HELLO = "Hello, world!\n".freeze
TEN_K = ('x' * (10 * 1024)).freeze
HUNDRED_K = ('x' * (100 * 1024)).freeze
LARGE = ('x' * (16 * 1024**2)).freeze
STATUS = RELEASE == 'faulty' ? 500 : 200
KEPT = []
LOG = Logger.new($stdout)

def items
  list = (1..20).map do |id|
    price = id * 101
    quantity = id % 5 + 1
    { id: id, name: "Item #{id}", price: price, quantity: quantity, total: price * quantity, active: id.even? }
  end
  { items: list }
end

def spin_forever
  loop {}
end

def fib(number)
  number < 2 ? number : fib(number - 1) + fib(number - 2)
end

def compute(seconds)
  before = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
  nil while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) - before < seconds
end

def length_of(input)
  length = 0
  while (piece = input.read(65_536))
    length += piece.bytesize
  end
  "#{length}\n"
end

run(lambda do |env|
  path = env['PATH_INFO']
  type = 'text/plain'
  body = HELLO
  fields = {}
  case path
  when '/json'
    type = 'application/json'
    body = JSON.generate(items)
  when '/10k'
    type = 'application/octet-stream'
    body = TEN_K
  when '/100k'
    type = 'application/octet-stream'
    body = HUNDRED_K
  when '/gzip'
    body = Zlib.gzip(JSON.generate(items))
    fields['Content-Encoding'] = 'gzip'
    type = 'application/json'
  when %r{\A/fib/} then body = "#{fib(path[5..].to_i)}\n"
  when '/download'
    type = 'application/octet-stream'
    body = LARGE
  when '/upload' then body = length_of(env['rack.input'])
  when %r{\A/release/} then body = "#{RELEASE} #{path}\n"
  when '/hang' then spin_forever
  when '/abort' then Process.kill(:ABRT, Process.pid)
  when '/wait' then sleep 1
  when '/cpu' then compute(0.01)
  when '/leak' then KEPT << Array.new(65_536, 0.5)
  when '/log' then LOG.info("a request of release #{RELEASE}")
  end
  [path == '/' ? STATUS : 200, fields.merge('Content-Type' => type, 'Content-Length' => body.bytesize.to_s), [body]]
end)
