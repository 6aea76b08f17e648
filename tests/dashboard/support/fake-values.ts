// Values that all parts of the fake graph use: projects, times, pages and coded errors.

export interface FakeProject {
  readonly id: string;
  readonly name: string;
}

export const projects: readonly FakeProject[] = [
  { id: 'p1', name: 'acme' },
  { id: 'p2', name: 'globex' },
];

export function now(offsetMs = 0): string {
  return new Date(Date.now() + offsetMs).toISOString();
}

export function page<Node>(nodes: readonly Node[], first = 50, after: string | null = null) {
  const start = after === null ? 0 : Number(after);
  const end = Math.min(nodes.length, start + first);
  return { nodes: nodes.slice(start, end), pageInfo: { hasNextPage: end < nodes.length, endCursor: String(end) } };
}

export function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { extensions: { code } });
}
