// Writes XML. Content that is passed in must already be XML. Texts and values of attributes are escaped, and names come from the
// caller.

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Control characters are written as references. XML 1.0 allows only tab, line feed and carriage return. A caller that may not write
// others must refuse them first.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are meant
const special = /[&<>"'\u0000-\u001f]/g;

export function escapeXml(value: string): string {
  return value.replace(special, (found) => escapes[found] ?? `&#x${found.charCodeAt(0).toString(16)};`);
}

export function element(name: string, content: string, attributes: Readonly<Record<string, string>> = {}): string {
  const written = Object.entries(attributes).map(([attribute, value]) => ` ${attribute}="${escapeXml(value)}"`);
  const opened = `<${name}${written.join('')}`;
  return content === '' ? `${opened}/>` : `${opened}>${content}</${name}>`;
}

export function text(name: string, value: string | number | boolean): string {
  return `<${name}>${typeof value === 'string' ? escapeXml(value) : value}</${name}>`;
}
