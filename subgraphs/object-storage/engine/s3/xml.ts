// S3's XML bodies. Content is XML already; escape text with `text`. Control characters, which names may have, become character
// references as in S3. A client that wants XML 1.0 requests encoding-type=url.
export { text } from '../../../../platform/xml/write-xml.ts';

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** Never uses the short form of an empty element: clients that search the text don't know it. */
export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/** A whole document with S3's namespace. */
export function xmlBody(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content}</${root}>`;
}

/** Errors are the only bodies without a namespace. */
export function errorBody(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`;
}
