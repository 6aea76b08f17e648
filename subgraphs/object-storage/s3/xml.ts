// S3's XML documents. What is passed as content is XML already; texts go through `text`. Control characters go as references, as S3
// does: names may have them. A client that wants XML 1.0 asks for encoding-type=url.
export { text } from '../../../platform/xml/write-xml.ts';

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Never in the short form of an empty element: clients that search the text don't know it. */
export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** A whole document with S3's namespace. */
export function xmlDocument(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content}</${root}>`;
}

/** Errors are the only documents without a namespace. */
export function errorDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`;
}
