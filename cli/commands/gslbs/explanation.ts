// The reasons for a client's answer to a name, for `gslbs explain` and `why`.
import type { GslbsExplainQuery, GslbsExplainQueryVariables } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import type { GraphClient } from '../../graph-client.ts';
import type { Printer } from '../../printer.ts';

graphql(`
  fragment GslbAnswerFields on GslbAnswer { outcome scopeBits records { type data ttlSeconds } }
`);
const document = graphql(`
  query GslbsExplain($name: String!, $type: GslbQuestionType, $client: IpOrCidr, $at: DateTime) {
    gslbExplain(name: $name, type: $type, client: $client, at: $at) {
      gslb { fqdn }
      askedAt generation clientRegion clientCountry clientContinent
      flip { changedAt reason }
      answer { ...GslbAnswerFields }
      steps { step kept { id member { name } reason } left { id member { name } reason } }
      servers {
        name address behind heardAt message latencyMs
        planned { ...GslbAnswerFields }
        answered { ...GslbAnswerFields }
      }
    }
  }
`);

export type GslbExplanation = NonNullable<GslbsExplainQuery['gslbExplain']>;

/** Null if there is no answer, or it is no longer kept. */
export async function explanationOf(
  client: GraphClient,
  asked: GslbsExplainQueryVariables,
): Promise<GslbExplanation | null> {
  return (await client.query(document, asked)).gslbExplain;
}

export async function printGslbExplanation(printer: Printer, found: GslbExplanation): Promise<void> {
  await printer.pairs([
    ['Name', found.gslb.fqdn],
    ['At', found.askedAt],
    ['Generation', found.generation],
    ['Because of', found.flip === null ? null : `${found.flip.changedAt} ${found.flip.reason}`],
    ['Client in', [found.clientRegion, found.clientCountry, found.clientContinent].filter(Boolean).join(', ')],
    ['Answer', answerText(found.answer)],
    ['TTL', found.answer.records[0] === undefined ? null : `${found.answer.records[0].ttlSeconds} s`],
    ['Scope', found.answer.scopeBits === null ? null : `/${found.answer.scopeBits}`],
  ]);
  await printer.line('');
  await printer.table(
    ['STEP', 'KEPT', 'LEFT OUT'],
    found.steps.map(({ step, kept, left }) => [
      step,
      kept.map(nameOf).join(' '),
      left.map((each) => `${nameOf(each)} (${each.reason ?? '-'})`).join(', '),
    ]),
  );
  if (found.servers.length === 0) return;
  await printer.line('');
  await printer.table(
    ['NAME SERVER', 'ADDRESS', 'ANSWERS', 'BEHIND', 'LATENCY'],
    found.servers.map((server) => [
      server.name,
      server.address ?? '-',
      server.message ?? (server.answered === null ? '-' : answerText(server.answered)),
      String(server.behind),
      server.latencyMs === null ? '-' : `${server.latencyMs} ms`,
    ]),
  );
}

interface Answer {
  readonly outcome: string;
  readonly records: readonly { readonly data: string }[];
}

function answerText({ outcome, records }: Answer): string {
  return records.length === 0 ? outcome : records.map(({ data }) => data).join(' ');
}

function nameOf({ id, member }: { readonly id: string; readonly member: { readonly name: string } | null }): string {
  return member?.name ?? id;
}
