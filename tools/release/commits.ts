// User-visible effects of the commits since a release. Form: Conventional Commits 1.0.0 (conventionalcommits.org).
import type { Entries } from './changelog.ts';

export interface Commit {
  readonly hash: string;
  readonly subject: string;
  readonly body: string;
}

interface Meaning {
  readonly heading: 'Added' | 'Changed' | 'Fixed';
  readonly text: string;
}

const subjectForm = /^(\w+)(?:\(([^)]+)\))?(!)?: (.+)$/;
/** Users see only these. A change of another type is listed if it breaks something. */
const headings: Readonly<Record<string, Meaning['heading']>> = { feat: 'Added', fix: 'Fixed' };

/** `commits`: the oldest first. A commit that was reverted in the same release is left out, and so is what reverted it. */
export function entriesOf(commits: readonly Commit[]): Entries {
  const reverted = new Set(commits.flatMap(revertedBy));
  const entries = new Map<string, string[]>();
  for (const commit of commits) {
    if (reverted.has(commit.hash)) continue;
    const meaning = meaningOf(commit);
    if (meaning === undefined) continue;
    const before = entries.get(meaning.heading) ?? [];
    if (!before.includes(meaning.text)) entries.set(meaning.heading, [...before, meaning.text]);
  }
  return entries;
}

function meaningOf({ subject, body }: Commit): Meaning | undefined {
  const [, type = '', scope, mark, description = ''] = subjectForm.exec(subject) ?? [];
  if (type === '') return undefined;
  const breaking = breakingNote(body);
  const sentence = `${scope === undefined ? capital(description) : `${scope}: ${description}`}`;
  if (mark !== undefined || breaking !== undefined)
    return { heading: 'Changed', text: `**Breaking:** ${sentence}${breaking === undefined ? '' : `. ${breaking}`}` };
  const heading = headings[type];
  return heading && { heading, text: sentence };
}

/** The footer, on one line. */
function breakingNote(body: string): string | undefined {
  const [, note] = /^BREAKING[ -]CHANGE: ((?:.+\n?)+)/m.exec(body) ?? [];
  return note?.trim().replaceAll(/\s*\n\s*/g, ' ');
}

/** In git's notation. */
function revertedBy({ body }: Commit): string[] {
  return [...body.matchAll(/^This reverts commit ([0-9a-f]{40})\b/gm)].map(([, hash = '']) => hash);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
