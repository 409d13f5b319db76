/**
 * What a thread of the pool runs. It is JavaScript, as threads load their file by themselves and Node 20 takes no types.
 *
 * @param {readonly number[]} numbers whole, from 0 to Number.MAX_SAFE_INTEGER
 * @returns {boolean[]} for each whether it is prime
 */
export default function arePrime(numbers) {
  return numbers.map(isPrime);
}

/** By trial division: every prime but 2 and 3 is one more or one less than a multiple of 6. */
function isPrime(n) {
  if (n < 2) return false;
  if (n < 4) return true;
  if (n % 2 === 0 || n % 3 === 0) return false;
  for (let divisor = 5; divisor * divisor <= n; divisor += 6)
    if (n % divisor === 0 || n % (divisor + 2) === 0) return false;
  return true;
}
