// Answers as `dig` prints them: lines of a zone file. No DOM here.
import type { FormAnswerFragment } from '../../../generated/dashboard/graphql.ts';

/** `answers`: one for each asked type; a CNAME answers all types. Null if the name has no answer. */
export function zoneText(fqdn: string, answers: readonly (FormAnswerFragment | null)[]): string {
  const known = answers.filter((each) => each !== null);
  if (known.length === 0) return `; ${fqdn}. is not answered`;
  if (known.some(({ outcome }) => outcome === 'SERVFAIL')) return `; ${fqdn}. SERVFAIL`;
  const lines = known.flatMap(({ records }) =>
    records.map(({ type, data, ttlSeconds }) => `${fqdn}.\t${ttlSeconds}\tIN\t${type}\t${data}`),
  );
  return lines.length === 0 ? `; ${fqdn}. has no records` : [...new Set(lines)].join('\n');
}
