// `tidegate machines update NAME`: changes the administrators' settings of a GSLB machine. Load balancer hosts have `hosts set`.
import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { UsageError } from '../../failures.ts';
import { recordOptions } from '../../machine-options.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';
import { machineNamed } from './find.ts';

const checkerDocument = graphql(`
  mutation MachinesUpdateChecker($input: GslbCheckerRecordSetInput!) {
    gslbCheckerRecordSet(input: $input) {
      gslbCheckerRecord { machine { id } vantagePointName } commit { token } userErrors { code message field }
    }
  }
`);

const nameServerDocument = graphql(`
  mutation MachinesUpdateNameServer($input: GslbNameServerRecordSetInput!) {
    gslbNameServerRecordSet(input: $input) {
      gslbNameServerRecord { machine { id } addresses } commit { token } userErrors { code message field }
    }
  }
`);

export const update = remoteVerb({
  summary: 'Give a checker another vantage point, or a name server other addresses.',
  takes: ['NAME'],
  options: { ...recordOptions, wait: commonOptions.wait },
  async run({ client, options, names, printer, signal }) {
    const { 'vantage-point': vantagePoint, address: addresses } = options;
    if ((vantagePoint === undefined) === (addresses.length === 0))
      throw new UsageError('give either --vantage-point, for a checker, or --address, for a name server');
    const { id: machineId } = await machineNamed(client, names[0]);
    const given = { idempotencyKey: randomUUID(), machineId };
    if (vantagePoint !== undefined) {
      const { gslbCheckerRecord: record, commit } = await client.mutate(checkerDocument, { ...given, vantagePoint });
      await replicated({ client, signal, options }, commit);
      if (options.json) return printer.json(record);
      return printer.line(
        `${names[0]} votes for ${vantagePoint} once its setting checker.vantagePoint has the same value`,
      );
    }
    const { gslbNameServerRecord: record, commit } = await client.mutate(nameServerDocument, { ...given, addresses });
    await replicated({ client, signal, options }, commit);
    if (options.json) return printer.json(record);
    return printer.line(`zones publish the addresses among ${addresses.join(', ')} at which ${names[0]} answers`);
  },
});
