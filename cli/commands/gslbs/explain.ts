// `tidegate gslbs explain NAME`: why a client gets its answer.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { choice, text, time } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';

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

export const explain = remoteVerb({
  summary: 'Show why a client gets its answer to a name, and what each name server answers.',
  takes: ['NAME'],
  options: {
    client: text('ADDRESS', 'Address of the client, or a block. Default: nothing is known of the client.'),
    record: choice('TYPE', ['A', 'AAAA', 'CNAME'], 'Type of records: A, AAAA or CNAME (A).'),
    at: time('A past moment. Default: now.'),
  },
  async run({ client, names, options, printer }) {
    const asked = { name: names[0], type: options.record, client: options.client, at: options.at };
    const { gslbExplain: found } = await client.query(document, asked);
    if (found === null) throw new CommandFailure(`there is no answer to '${names[0]}', or none that is kept`);
    if (options.json) return printer.json(found);
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
  },
});

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
