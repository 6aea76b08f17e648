// The origin of a URL (RFC 6454): scheme, host and port.

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `https://host:port`, always with the port. */
export function originOf({ host, port }: Address): string {
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** As a socket takes it: an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Undefined if the text is not an HTTPS URL. */
export function addressOfUrl(text: string): Address | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return undefined;
  return { host: hostOf(url), port: url.port === '' ? 443 : Number(url.port) };
}
