// Reads the three kinds of XML that clients send.
import { z } from 'zod';
import { readXml as readElements, type XmlElement, XmlError } from '../../../../platform/xml/read-xml.ts';
import { checksumElement, checksumHeaders } from './checksums.ts';
import { notImplemented, S3Error } from './errors.ts';

const lists: ReadonlySet<string> = new Set(['Delete.Object', 'CompleteMultipartUpload.Part']);
/** The operations limit the sizes of bodies. S3 has no attributes but a namespace. */
const bounds = { mostBytes: 4 * 1024 * 1024, deepest: 16, mostTags: 200_000, mostAttributes: 1_000 };

const mostDeletions = 1_000;
const mostParts = 10_000;

const checksumElements = Object.fromEntries(
  checksumHeaders.map((header) => [checksumElement(header), z.string().optional()]),
);

const empty = z.literal('').transform((): { LocationConstraint?: string | undefined } => ({}));
const flag = z.stringbool().optional();

const xmlBodies = {
  CreateBucketConfiguration: z.union([empty, z.strictObject({ LocationConstraint: z.string().optional() })]),
  Delete: z.strictObject({
    Object: z
      .array(z.strictObject({ Key: z.string().min(1), VersionId: z.string().optional(), ETag: z.string().optional() }))
      .min(1)
      .max(mostDeletions),
    Quiet: flag,
  }),
  CompleteMultipartUpload: z.strictObject({
    Part: z
      .array(
        z.strictObject({
          PartNumber: z.string().regex(/^\s*\d{1,5}\s*$/),
          ETag: z.string(),
          ...checksumElements,
        }),
      )
      .min(1)
      .max(mostParts),
  }),
} as const;

type XmlBodies = { readonly [Root in keyof typeof xmlBodies]: z.output<(typeof xmlBodies)[Root]> };

type Plain = string | { readonly [name: string]: Plain | readonly Plain[] };

/** Elements by name, ignoring namespaces. Elements in `lists` are always a list; others only if there are several. */
function plainOf({ name, children, text }: XmlElement, around = ''): Plain {
  if (children.length === 0) return text;
  const path = around === '' ? name : `${around}.${name}`;
  const found = new Map<string, Plain[]>();
  for (const child of children) {
    const values = found.get(child.name);
    if (values === undefined) found.set(child.name, [plainOf(child, path)]);
    else values.push(plainOf(child, path));
  }
  return Object.fromEntries(
    [...found].map(([of, values]) => [
      of,
      values.length > 1 || lists.has(`${path}.${of}`) ? values : (values[0] ?? ''),
    ]),
  );
}

/** Throws S3Error MalformedXML. */
export function readXml<Root extends keyof XmlBodies>(body: Buffer, root: Root): XmlBodies[Root] {
  const parsed = xmlBodies[root].safeParse(rootOf(body, root));
  if (!parsed.success) throw refusalOf(root, parsed.error);
  return parsed.data as XmlBodies[Root];
}

function rootOf(body: Buffer, root: string): Plain | undefined {
  try {
    const found = readElements(body, bounds);
    return found.name === root ? plainOf(found) : undefined;
  } catch (error) {
    if (error instanceof XmlError) throw malformed(root);
    throw error;
  }
}

/** An unknown element in a known document asks for something that is not implemented. */
function refusalOf(root: string, { issues }: z.ZodError): S3Error {
  const unknown = unknownIn(issues);
  return unknown === undefined ? malformed(root) : notImplemented(`The element ${unknown.slice(0, 100)} of ${root}`);
}

function unknownIn(issues: readonly z.core.$ZodIssue[]): string | undefined {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') return issue.keys[0];
    const inner = issue.code === 'invalid_union' ? unknownIn(issue.errors.flat()) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function malformed(root: string): S3Error {
  return new S3Error('MalformedXML', `The body is not a well-formed ${root} document of at most the allowed length.`);
}
