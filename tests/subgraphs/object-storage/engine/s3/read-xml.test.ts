// XML bodies that only a hostile client sends.
import { expect, test } from '@jest/globals';
import { readXml } from '../../../../../subgraphs/object-storage/engine/s3/read-xml.ts';
import { patience } from '../../../../support/machine/patience.ts';

const read = (keys: string) => readXml(Buffer.from(`<Delete><Object><Key>${keys}</Key></Object></Delete>`), 'Delete');
const malformed = expect.objectContaining({ code: 'MalformedXML' });

test('CDATA sections are read, and text in them that looks like a reference is not one', () => {
  expect(read('a<![CDATA[&b;]]>c<![CDATA[<d>]]>').Object).toEqual([{ Key: 'a&b;c<d>' }]);
  expect(() => read('<![CDATA[a]]>&b;')).toThrow(malformed);
});

// Searching to the end of the document from each of them would take minutes.
test('a body of many CDATA sections without an end is refused at once', () => {
  expect(() => read('<![CDATA['.repeat(110_000))).toThrow(malformed);
  expect(() => read(`${'<![CDATA['.repeat(110_000)}&b;`)).toThrow(malformed);
});

// Copying all values of a name for each further one would take minutes.
test.each(['<Object/>', '<a/>'])('a body of very many %s is refused at once', (element) => {
  const body = Buffer.from(`<Delete>${element.repeat(190_000)}</Delete>`);
  const beganMs = performance.now();
  expect(() => readXml(body, 'Delete')).toThrow(expect.objectContaining({ name: 'S3Error' }));
  expect(performance.now() - beganMs).toBeLessThan(10_000 * patience);
});

test('a body of very many attributes or declarations is refused before they are read', () => {
  const attributes = Array.from({ length: 1_001 }, (_, at) => ` a${at}="b"`).join('');
  const key = '<Object><Key>a</Key></Object>';
  expect(() => readXml(Buffer.from(`<Delete${attributes}>${key}</Delete>`), 'Delete')).toThrow(malformed);
  const declared = `<Object xmlns:n="m"><Key>a</Key></Object>`.repeat(1_001);
  expect(() => readXml(Buffer.from(`<Delete>${declared}</Delete>`), 'Delete')).toThrow(malformed);
  const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
  const many = `<Object xmlns="${namespace}"><Key>a==&lt;a=</Key><ETag>a===</ETag></Object>`.repeat(1_000);
  expect(readXml(Buffer.from(`<Delete>${many}</Delete>`), 'Delete').Object).toHaveLength(1_000);
});
