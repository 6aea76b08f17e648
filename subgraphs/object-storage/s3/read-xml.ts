// Reads the three kinds of XML that clients send. Documents that declare entities are refused before they are parsed.
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';
import { S3Error } from './errors.ts';

const lists: ReadonlySet<string> = new Set(['Delete.Object', 'CompleteMultipartUpload.Part']);

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: true,
  htmlEntities: true,
  isArray: (_name, path) => lists.has(String(path)),
});

const mostDeletions = 1_000;
const mostParts = 10_000;

const empty = z.literal('').transform((): { LocationConstraint?: string | undefined } => ({}));
const flag = z.stringbool().optional();

const documents = {
  CreateBucketConfiguration: z.union([empty, z.object({ LocationConstraint: z.string().optional() })]),
  Delete: z.object({
    Object: z
      .array(z.object({ Key: z.string().min(1), VersionId: z.string().optional(), ETag: z.string().optional() }))
      .min(1)
      .max(mostDeletions),
    Quiet: flag,
  }),
  CompleteMultipartUpload: z.object({
    Part: z
      .array(z.object({ PartNumber: z.string().regex(/^\s*\d{1,5}\s*$/), ETag: z.string() }))
      .min(1)
      .max(mostParts),
  }),
} as const;

type Documents = { readonly [Root in keyof typeof documents]: z.output<(typeof documents)[Root]> };

/** The parser leaves out characters that XML does not have, and names of others: what is left could be the name of another object. */
function hasOnlyReferencesOfXml(xml: string): boolean {
  const texts = xml.replace(/<!\[CDATA\[.*?\]\]>/gs, '');
  for (const [, name = ''] of texts.matchAll(/&([^;]{0,12};)?/g)) {
    if (/^(amp|lt|gt|quot|apos);$/.test(name)) continue;
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,8})|(\d{1,8}));$/i.exec(name) ?? [];
    const code = hex === undefined ? Number(decimal ?? 0) : Number.parseInt(hex, 16);
    const isCharacter =
      code === 0x9 ||
      code === 0xa ||
      code === 0xd ||
      (code >= 0x20 && code < 0xd800) ||
      (code >= 0xe000 && code <= 0x10ffff);
    if (!isCharacter) return false;
  }
  return true;
}

/** Throws S3Error MalformedXML. */
export function readXml<Root extends keyof Documents>(body: Buffer, root: Root): Documents[Root] {
  const xml = body.toString('utf8');
  const isSound =
    !/<!(DOCTYPE|ENTITY)/i.test(xml) && hasOnlyReferencesOfXml(xml) && XMLValidator.validate(xml) === true;
  if (!isSound) throw malformed(root);
  const parsed = documents[root].safeParse((parser.parse(xml) as Record<string, unknown>)[root]);
  if (!parsed.success) throw malformed(root);
  return parsed.data as Documents[Root];
}

function malformed(root: string): S3Error {
  return new S3Error('MalformedXML', `The body is not a well-formed ${root} document of at most the allowed length.`);
}
