// The target of a request: a path with its query, or a whole URL, which every server must accept (RFC 9112, section 3.2.2).

interface RequestTarget {
  readonly path: string;
  /** Undefined if there is no question mark. Further ones belong to the query (RFC 3986, section 3.4). */
  readonly query: string | undefined;
}

/** The host of a whole URL is ignored: this endpoint has only one. */
export function targetOf(url: string | undefined): RequestTarget {
  const given = (url ?? '/').replace(/^https?:\/\/[^/?]*/i, '');
  const target = given.startsWith('?') || given === '' ? `/${given}` : given;
  const at = target.indexOf('?');
  return at === -1 ? { path: target, query: undefined } : { path: target.slice(0, at), query: target.slice(at + 1) };
}
