// Answers by region: the answer for clients of each region, and how the vantage points of that region see its members. Pure.
import type { GslbFieldsFragment, GslbVotedMemberFragment } from '../../../../../generated/dashboard/graphql.ts';
import { answerOf } from '../kinds/name.ts';

type Vote = GslbVotedMemberFragment['votes'][number];

/** The answer for the clients of a region. */
export interface AskedRegion {
  /** Null: clients of no region. */
  readonly region: string | null;
  readonly cidrs: readonly string[];
  /** Null if the name is gone. Undefined: nobody knows its clients, so nothing was asked. */
  readonly answer: Pick<GslbFieldsFragment, 'answer' | 'answerIpv6'> | null | undefined;
}

export interface SeenMember {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly cname: string | null;
  readonly votes: readonly Vote[];
}

export interface RegionAnswer {
  readonly region: string | null;
  readonly clients: string;
  /** Null: not known. */
  readonly answer: string | null;
  /** Names of the members whose addresses are in the answer. */
  readonly members: readonly string[];
  readonly points: readonly {
    readonly name: string;
    readonly up: number;
    readonly of: number;
    /** Its checkers do not report. */
    readonly isAbsent: boolean;
  }[];
}

const mostCidrs = 3;

export function regionAnswers(asked: readonly AskedRegion[], members: readonly SeenMember[]): readonly RegionAnswer[] {
  const votes = members.flatMap((member) => member.votes);
  const known = new Set(asked.map(({ region }) => region));
  const others = [...new Set(votes.map(({ region }) => region))].filter((region) => !known.has(region)).sort();
  return [...asked, ...others.map((region): AskedRegion => ({ region, cidrs: [], answer: undefined }))].map(
    ({ region, cidrs, answer }) => {
      const data = [answer?.answer, answer?.answerIpv6].flatMap((each) => each?.records ?? []).map((each) => each.data);
      return {
        ...{ region, clients: clientsOf(region, cidrs) },
        answer:
          answer === undefined ? null : answer === null ? 'the name was deleted' : answerOf(answer) || 'no answer yet',
        members: members
          .filter(
            ({ addresses, cname }) =>
              addresses.some((each) => data.includes(each)) || (cname !== null && data.includes(cname)),
          )
          .map(({ name }) => name),
        points: pointsOf(votes.filter((vote) => vote.region === region)),
      };
    },
  );
}

function clientsOf(region: string | null, cidrs: readonly string[]): string {
  if (region === null) return 'clients of unknown region';
  if (cidrs.length === 0) return 'no client block has this region';
  const rest = cidrs.length - mostCidrs;
  return `${cidrs.slice(0, mostCidrs).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function pointsOf(votes: readonly Vote[]): RegionAnswer['points'] {
  const byPoint = Map.groupBy(votes, ({ vantagePointName }) => vantagePointName);
  return [...byPoint].map(([name, own]) => ({
    ...{ name, of: own.length, up: own.filter(({ verdict }) => verdict === 'UP').length },
    isAbsent: own.every(({ count }) => count === 'ABSENT'),
  }));
}
