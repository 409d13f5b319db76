import { hello } from '../lib/expected.mjs';
import { throughput } from '../lib/throughput.mjs';

/** With Host, twenty, as a browser sends them. */
const headers = {
  Connection: 'keep-alive',
  'Cache-Control': 'max-age=0',
  'sec-ch-ua': '"Chromium";v="128", "Not;A=Brand";v="24", "Google Chrome";v="128"',
  'sec-ch-ua-mobile': '?0',
  'sec-ch-ua-platform': '"Linux"',
  DNT: '1',
  'Upgrade-Insecure-Requests': '1',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'Sec-Fetch-Site': 'same-origin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-User': '?1',
  'Sec-Fetch-Dest': 'document',
  Referer: 'https://shop.example.com/catalogue/shoes',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  Priority: 'u=0, i',
  'X-Request-Id': '4bf92f3577b34da6a3ce929d0e0e4736',
  Cookie: 'session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=all; _ga=GA1.2.1234567890.1700000000',
};

export default throughput({
  id: 'fields',
  title: 'Twenty header fields',
  about: 'the same, with the header fields of a browser, cookies among them',
  isMain: true,
  load: { connections: 32, path: '/', headers, expect: { status: 200, body: hello } },
});
