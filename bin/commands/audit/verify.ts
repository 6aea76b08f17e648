// `tidegate audit verify`: the server hashes the audit trail again.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../cli/failures.ts';
import { remoteVerb } from '../../cli/remote-verb.ts';

const entriesAtOnce = 100_000;
const maxRounds = 10_000;

const document = graphql(`
  query AuditVerify($from: String, $limit: Int) {
    auditVerification(fromPosition: $from, limit: $limit) { intact checked unsealed firstBrokenPosition reason }
  }
`);

export const verify = remoteVerb({
  summary: 'Verify that the audit trail is whole.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const part = async (from: number | undefined) => {
      const variables = { limit: entriesAtOnce, ...(from === undefined ? {} : { from: String(from) }) };
      return (await client.query(document, variables)).auditVerification;
    };
    let last = await part(undefined);
    let checked = last.checked;
    for (let round = 1; round < maxRounds && last.intact && last.checked === entriesAtOnce; round += 1) {
      last = await part(checked);
      checked += last.checked;
    }
    const { intact, unsealed, firstBrokenPosition, reason } = last;
    if (options.json) await printer.json({ ...last, checked });
    else await printer.line(`${checked} entries checked, ${unsealed} not sealed yet`);
    if (!intact)
      throw new CommandFailure(`the audit trail is broken at ${firstBrokenPosition ?? '?'}: ${reason ?? '?'}`);
  },
});
