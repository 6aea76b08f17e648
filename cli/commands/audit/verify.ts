// `tidegate audit verify`: the server recomputes the hashes of the audit trail.

import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { text } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { readAnchors } from './anchor-file.ts';

const entriesAtOnce = 100_000;
const maxRounds = 10_000;
const anchorsAtOnce = 1_000;

const document = graphql(`
  query AuditVerify($from: BigInt, $limit: Int, $anchors: [AuditAnchorInput!]) {
    auditVerification(fromPosition: $from, limit: $limit, anchors: $anchors) { intact checked unsealed firstBrokenPosition reason cuts { position epoch entryPosition } }
  }
`);

export const verify = remoteVerb({
  summary: 'Verify that the audit trail is complete and unchanged.',
  takes: [],
  options: {
    anchor: text('FILE', "File with earlier ends of the trail: audit.anchorFile or a worker's log."),
  },
  async run({ client, options, printer }) {
    const anchors = options.anchor === undefined ? [] : await readAnchors(options.anchor);
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
    for (let at = 0; at < anchors.length && last.intact; at += anchorsAtOnce) {
      const some = anchors.slice(at, at + anchorsAtOnce).map((each) => ({ ...each, position: String(each.position) }));
      last = (await client.query(document, { limit: 1, anchors: some })).auditVerification;
    }
    const { intact, unsealed, firstBrokenPosition, reason } = last;
    const kept = options.anchor === undefined ? '' : ` and ${anchors.length} kept ends`;
    if (options.json) await printer.json({ ...last, checked });
    else await printer.line(`${checked} entries${kept} checked, ${unsealed} not sealed yet`);
    if (!options.json)
      for (const { position, epoch, entryPosition } of last.cuts)
        await printer.line(
          `the trail had reached ${position}: its end was lost with timeline ${epoch} (entry ${entryPosition})`,
        );
    if (!intact)
      throw new CommandFailure(`the audit trail is broken at ${firstBrokenPosition ?? '?'}: ${reason ?? '?'}`);
  },
});
