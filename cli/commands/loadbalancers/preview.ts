// `--preview` of verbs that change a load balancer or its parts: prints the effects of the change on the nodes, without making it.
import type { LoadBalancerChangeInput, LoadBalancerPreviewFieldsFragment } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, CommandFaults } from '../../failures.ts';
import { type GraphClient, refusalText } from '../../graph-client.ts';
import { flag } from '../../option.ts';
import type { RemoteCall } from '../../remote-verb.ts';

graphql(`
  fragment LoadBalancerPreviewFields on LoadBalancerPreview {
    configuration commands reloads reloadReason replacesNodes wantedNodes
    userErrors { code message field }
  }
`);
const document = graphql(`
  query LoadBalancersPreview($id: ID!, $change: LoadBalancerChangeInput!) {
    loadBalancerPreview(id: $id, change: $change) { ...LoadBalancerPreviewFields }
  }
`);

export type Preview = LoadBalancerPreviewFieldsFragment;

export const previewOption = flag('Show the effects on nodes, and whether HAProxy reloads; change nothing.');

type PreviewingCall = Pick<RemoteCall, 'client' | 'printer'> & {
  readonly options: { readonly json: boolean; readonly preview: boolean };
};

/** True if `--preview` was given, after printing the preview. Throws CommandFailure if the change would be refused. */
export async function previewed(
  { client, options, printer }: PreviewingCall,
  id: string,
  change: LoadBalancerChangeInput,
): Promise<boolean> {
  if (!options.preview) return false;
  const preview = await readPreview(client, id, change);
  const { userErrors, configuration, commands } = preview;
  if (userErrors.length > 0) throw new CommandFaults(userErrors.map(refusalText));
  if (options.json) await printer.json(preview);
  else {
    await printer.line(inShort(preview));
    const lines = configuration.split('\n').filter((line) => line !== '');
    for (const line of [...commands.map((command) => `> ${command}`), ...lines]) await printer.line(line);
  }
  return true;
}

export async function readPreview(client: GraphClient, id: string, change: LoadBalancerChangeInput): Promise<Preview> {
  const { loadBalancerPreview: preview } = await client.query(document, { id, change });
  if (preview === null) throw new CommandFailure(`there is no load balancer '${id}'`);
  return preview;
}

export function inShort({ reloads, reloadReason, replacesNodes, wantedNodes, userErrors }: Preview): string {
  if (userErrors.length > 0) return `would be refused now: ${userErrors.map(({ code }) => code).join(', ')}`;
  if (wantedNodes === 0) return 'all nodes are deleted';
  const nodes = `${wantedNodes} nodes`;
  if (replacesNodes) return `${nodes}, which are replaced one by one by nodes of another size`;
  return reloads ? `${nodes}; HAProxy reloads: ${reloadReason}` : `${nodes}; HAProxy does not reload`;
}
