// Shows what a change would do to the nodes of a load balancer.
import type { Preview } from './use-preview.ts';

export function PreviewPanel({ preview }: { readonly preview: Preview | undefined }) {
  return (
    <section className="form-preview" aria-label="What it would do">
      <h3>What it would do</h3>
      {preview === undefined ? (
        <p className="dim">The nodes' new configuration is shown once the form is complete.</p>
      ) : (
        <>
          <p>{inWords(preview)}</p>
          {preview.configuration + preview.commands.join('') !== '' && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
            <pre tabIndex={0}>
              {[...preview.commands.map((command) => `> ${command}`), preview.configuration].join('\n').trim()}
            </pre>
          )}
        </>
      )}
    </section>
  );
}

function inWords({ userErrors, wantedNodes, replacesNodes, reloads, reloadReason }: Preview): string {
  if (userErrors.length > 0) return `It would be refused: ${userErrors.map(({ message }) => message).join('; ')}`;
  if (wantedNodes === 0) return 'All nodes are deleted.';
  const nodes = `${wantedNodes} ${wantedNodes === 1 ? 'node' : 'nodes'}`;
  if (replacesNodes) return `${nodes}, which are replaced one by one by nodes of another size.`;
  return reloads ? `${nodes}. HAProxy reloads: ${reloadReason}` : `${nodes}. HAProxy does not reload.`;
}
