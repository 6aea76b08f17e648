// Writes XML. What is passed as content is XML already; texts go through `text`.

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Control characters go as references, as S3 does: names may have them. A client that wants XML 1.0 asks for encoding-type=url.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are meant
const special = /[&<>"'\u0000-\u001f]/g;

function escapeXml(value: string): string {
  return value.replace(special, (found) => escapes[found] ?? `&#x${found.charCodeAt(0).toString(16)};`);
}

export function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

export function text(name: string, value: string | number | boolean): string {
  return `<${name}>${typeof value === 'string' ? escapeXml(value) : value}</${name}>`;
}

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

/** A whole document with S3's namespace. */
export function xmlDocument(root: string, content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${namespace}">${content}</${root}>`;
}

/** Errors are the only documents without a namespace. */
export function errorDocument(content: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${content}</Error>`;
}
