// Descriptions of the graph in a form. Field names and enum values become words, and words that people capitalize stay.
import { expect, test } from '@jest/globals';
import { describe as inWords, valueWords } from '../../../dashboard/src/view/graph-words.ts';

test.each([
  ['Largest number of nodes, 1 to 64. Default: `minNodes`.', 'Largest number of nodes, 1 to 64. Default: “min nodes”.'],
  ['The pool, for REDIRECT_TO_POOL.', 'The pool, for redirect to pool.'],
  [
    'Consecutive failures before a vantage point votes DOWN.',
    'Consecutive failures before a vantage point votes down.',
  ],
  ['NS records, at most 13; HTTPS and OVSDB.', 'NS records, at most 13; HTTPS and OVSDB.'],
  ['The method: GET unless given.', 'The method: GET unless given.'],
  [
    'As `openssl x509 -fingerprint` prints it: https://HOST:PORT.',
    'As openssl x509 -fingerprint prints it: https://HOST:PORT.',
  ],
])('%s', (description, words) => {
  expect(inWords(description)).toBe(words);
});

test('values', () => {
  expect(['ROUND_ROBIN', 'TLS_CHECK', 'GRPC', 'GET', 'A'].map(valueWords)).toEqual([
    ...['round robin', 'TLS check', 'gRPC', 'GET', 'A'],
  ]);
});
