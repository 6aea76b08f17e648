// Reads the three kinds of XML that clients send.
import { z } from 'zod';
import { readXml as readDocument, type XmlElement, XmlError } from '../../../platform/xml/read-xml.ts';
import { S3Error } from './errors.ts';

const lists: ReadonlySet<string> = new Set(['Delete.Object', 'CompleteMultipartUpload.Part']);
/** Bodies are bounded by their operations. */
const bounds = { mostBytes: 4 * 1024 * 1024, deepest: 16, mostTags: 200_000 };

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

type Plain = string | { readonly [name: string]: Plain | readonly Plain[] };

/** Elements by name, whatever their namespace; those of `lists` always as a list, others if there are several. */
function plainOf({ name, children, text }: XmlElement, around = ''): Plain {
  if (children.length === 0) return text;
  const path = around === '' ? name : `${around}.${name}`;
  const found = new Map<string, Plain[]>();
  for (const child of children) found.set(child.name, [...(found.get(child.name) ?? []), plainOf(child, path)]);
  return Object.fromEntries(
    [...found].map(([of, values]) => [
      of,
      values.length > 1 || lists.has(`${path}.${of}`) ? values : (values[0] ?? ''),
    ]),
  );
}

/** Throws S3Error MalformedXML. */
export function readXml<Root extends keyof Documents>(body: Buffer, root: Root): Documents[Root] {
  const parsed = documents[root].safeParse(rootOf(body, root));
  if (!parsed.success) throw malformed(root);
  return parsed.data as Documents[Root];
}

function rootOf(body: Buffer, root: string): Plain | undefined {
  try {
    const found = readDocument(body, bounds);
    return found.name === root ? plainOf(found) : undefined;
  } catch (error) {
    if (error instanceof XmlError) throw malformed(root);
    throw error;
  }
}

function malformed(root: string): S3Error {
  return new S3Error('MalformedXML', `The body is not a well-formed ${root} document of at most the allowed length.`);
}
