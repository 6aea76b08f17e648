import { describe, expect, test } from '@jest/globals';
import { readXml, type XmlElement, XmlError } from '../../../platform/xml/read-xml.ts';
import { element, text } from '../../../platform/xml/write-xml.ts';

const fault = (document: string | Uint8Array, bounds = {}): string => {
  try {
    readXml(document, bounds);
  } catch (error) {
    if (error instanceof XmlError) return error.message;
    throw error;
  }
  return 'none';
};
const seen = ({ name, namespace, text, children }: XmlElement): unknown => [
  `{${namespace}}${name}`,
  children.length === 0 ? text : children.map(seen),
];

describe('readXml', () => {
  test('resolves namespaces, and keeps texts as written', () => {
    const root = readXml(
      '<a xmlns="u:1" xmlns:p="u:2"><b p:k="1" k="2"> x &amp;&#x41; </b><p:c xmlns="">\n<d/></p:c></a>',
    );
    expect(seen(root)).toEqual([
      '{u:1}a',
      [
        ['{u:1}b', ' x &A '],
        ['{u:2}c', [['{}d', '']]],
      ],
    ]);
    expect([...(root.children[0]?.attributes ?? [])]).toEqual([
      ['{u:2}k', '1'],
      ['k', '2'],
    ]);
    expect(root.children[0]?.namespaces.get('p')).toBe('u:2');
  });

  test('names that JavaScript also uses are ordinary names', () => {
    expect(seen(readXml('<a><toString>1</toString><valueOf/></a>'))).toEqual([
      ...[
        '{}a',
        [
          ['{}toString', '1'],
          ['{}valueOf', ''],
        ],
      ],
    ]);
    for (const name of ['__proto__', 'constructor']) expect(fault(`<a><${name}/></a>`)).toBe('it is not readable');
  });

  test('CDATA is text, and comments are ignored', () => {
    expect(readXml('<a><!-- & <x> --><![CDATA[& <y> <!-- -->]]></a>').text).toBe('& <y> <!-- -->');
  });

  test.each([
    ['a document type', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'it declares a document type'],
    ['a late document type', '<a/><!doctype a>', 'it declares a document type'],
    ['an unknown entity', '<a>&nbsp;</a>', 'it has characters or references that XML does not have'],
    ['a reference to nothing', '<a>&#0;</a>', 'it has characters or references that XML does not have'],
    ['a control character', '<a>\u0001</a>', 'it has characters or references that XML does not have'],
    ['two roots', '<a/><b/>', 'it does not have exactly one root element'],
    ['text alone', 'hello', 'it is not well-formed'],
    ['nothing', '', 'it is not well-formed'],
    ['an open element', '<a><b></a>', 'it is not well-formed'],
    ['an undeclared prefix', '<p:a/>', 'it uses a prefix that it does not declare'],
    ['an undeclared prefix of an attribute', '<a p:b="1"/>', 'it uses a prefix that it does not declare'],
    ['a name with two colons', '<a xmlns:p="u"><p:b:c/></a>', 'it uses a prefix that it does not declare'],
    ['one attribute in two ways', '<a xmlns:p="u" xmlns:q="u" p:x="1" q:x="2"/>', 'it has an attribute twice'],
    ['bytes that are not UTF-8', Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e]), 'it is not in UTF-8'],
    ['depth', '<a>'.repeat(70) + '</a>'.repeat(70), 'it nests too deeply'],
    ['much depth', '<a>'.repeat(20_000) + '</a>'.repeat(20_000), 'it is not readable'],
    ['length', `<a>${'x'.repeat(1024 * 1024)}</a>`, 'it is longer than 1048576 bytes'],
    ['tags', `<a>${'<b/>'.repeat(100_001)}</a>`, 'it has more than 100000 tags'],
    [
      'namespaces',
      `<a ${Array.from({ length: 101 }, (_, at) => `xmlns:p${at}="u"`).join(' ')}/>`,
      'it declares more than 100 namespaces',
    ],
  ])('refuses %s', (_what, document, message) => {
    expect(fault(document)).toBe(message);
  });

  // A regular expression scanned from each section to the end of the document, which took more than a minute for one megabyte.
  test('sections without an end need one scan', () => {
    expect(fault('<![CDATA['.repeat(90_000))).toMatch(/^it /);
    expect(fault(`<a>${'<!--'.repeat(90_000)}`)).toMatch(/^it /);
  });
});

test('a written document is read back unchanged', () => {
  const said = ` ]]> <x a="1"> & 'y' \t\n\r é € 😀 </x> `;
  const root = readXml(element('r', text('t', said), { at: said, xmlns: 'u:&<"' }));
  expect([root.namespace, root.children[0]?.text, root.attributes.get('at')]).toEqual(['u:&<"', said, said]);
});
