// Bodies of XML that no client of good will sends.
import { expect, test } from '@jest/globals';
import { readXml } from '../../../../../subgraphs/object-storage/engine/s3/read-xml.ts';

const read = (keys: string) => readXml(Buffer.from(`<Delete><Object><Key>${keys}</Key></Object></Delete>`), 'Delete');
const malformed = expect.objectContaining({ code: 'MalformedXML' });

test('CDATA sections are read, and text in them that looks like a reference is none', () => {
  expect(read('a<![CDATA[&b;]]>c<![CDATA[<d>]]>').Object).toEqual([{ Key: 'a&b;c<d>' }]);
  expect(() => read('<![CDATA[a]]>&b;')).toThrow(malformed);
});

// A search to the end of the document from each of them would take minutes.
test('a body of many CDATA sections without an end is refused at once', () => {
  expect(() => read('<![CDATA['.repeat(110_000))).toThrow(malformed);
  expect(() => read(`${'<![CDATA['.repeat(110_000)}&b;`)).toThrow(malformed);
});
