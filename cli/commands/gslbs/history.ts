// `tidegate gslbs history NAME`: changes of verdicts, with the votes.
import { graphql } from '../../../generated/cli/index.ts';
import { readAll, readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { findGslb, findMember } from './gslb.ts';

const document = graphql(`
  query GslbsHistory($gslbId: ID, $memberId: ID, $first: Int, $after: String) {
    gslbHistory(gslbId: $gslbId, memberId: $memberId, first: $first, after: $after) {
      nodes {
        changedAt region verdictBefore verdictAfter reason late
        member { name pool { name } }
        ballots { vantagePointName region verdict ageMs count latencyMs message }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const history = remoteVerb({
  summary: 'List changes of verdicts on the members of a GSLB, or on one, with every vote, newest first.',
  takes: ['NAME', '[MEMBER]'],
  options: { limit: commonOptions.limit },
  async run({ client, names, options, printer }) {
    const gslb = await findGslb(client, names[0]);
    const [, member] = names;
    const of = member === undefined ? { gslbId: gslb.id } : { memberId: (await findMember(client, gslb, member)).id };
    const { limit = 20 } = options;
    const flips = await readAll(readPages(client, document, of, (data) => data.gslbHistory, limit));
    if (options.json) return printer.json(flips);
    if (flips.length === 0) return printer.line('no verdict has changed yet');
    const rows = flips.map((flip) => [
      flip.changedAt,
      flip.member === null ? '-' : `${flip.member.pool.name}/${flip.member.name}`,
      `${flip.verdictBefore ?? '-'} → ${flip.verdictAfter ?? '-'}${flip.late ? ' (late)' : ''}`,
      flip.region ?? 'all',
      flip.ballots.map(ballotText).join(', '),
      flip.reason,
    ]);
    return printer.table(['AT', 'MEMBER', 'VERDICT', 'FOR', 'VOTES', 'REASON'], rows);
  },
});

interface Ballot {
  readonly vantagePointName: string;
  readonly verdict: string | null;
  readonly count: string;
}

/** A vote that did not count shows the reason in place of its verdict. */
function ballotText({ vantagePointName, verdict, count }: Ballot): string {
  return `${vantagePointName} ${count === 'COUNTED' ? (verdict ?? '-') : count}`;
}
