// Shows what a change would do: to the nodes of a load balancer, or to answers of DNS.
import type { FieldFault } from './draft.ts';
import type { Effects } from './effects.ts';
import type { Previewed } from './previewed.ts';
import type { AnswersPreview, NodesPreview, Preview } from './use-preview.ts';
import { zoneText } from './zone-text.ts';

interface PreviewPanelProps {
  /** Undefined if the graph has no preview of this change. */
  readonly of: Previewed | undefined;
  /** Undefined until it has been read. */
  readonly preview: Preview | undefined;
  /** Effects that follow from the form's input alone. */
  readonly effects: Effects;
  readonly notes: readonly FieldFault[];
}

export function PreviewPanel({ of, preview, effects: { does, lacks }, notes }: PreviewPanelProps) {
  if (of === undefined && does.length + lacks.length + notes.length === 0) return null;
  const title = of === 'answers' ? 'What DNS answers' : 'What it would do';
  return (
    <section className="form-preview" aria-label={title}>
      <h3>{title}</h3>
      {does.map((text) => (
        <p key={text}>{text}</p>
      ))}
      {lacks.length > 0 && (
        <ul className="lacks" aria-label="What it would not do">
          {lacks.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {notes.map(({ message }) => (
        <p key={message}>{message}</p>
      ))}
      {of !== undefined && preview === undefined && (
        <p className="dim">
          {of === 'nodes' ? "The nodes' new configuration" : 'The answer before and after the change'} is shown once the
          form is complete.
        </p>
      )}
      {preview?.of === 'nodes' && <Nodes preview={preview.nodes} />}
      {preview?.of === 'answers' && <Answers preview={preview.answers} />}
    </section>
  );
}

function refusedBy({ userErrors }: Pick<NodesPreview, 'userErrors'>): string | undefined {
  if (userErrors.length === 0) return undefined;
  return `It would be refused: ${userErrors.map(({ message }) => message).join('; ')}`;
}

function Nodes({ preview }: { readonly preview: NodesPreview }) {
  return (
    <>
      <p>{refusedBy(preview) ?? inWords(preview)}</p>
      {preview.configuration + preview.commands.join('') !== '' && (
        <Text text={[...preview.commands.map((command) => `> ${command}`), preview.configuration].join('\n').trim()} />
      )}
    </>
  );
}

function inWords({ wantedNodes, replacesNodes, reloads, reloadReason }: NodesPreview): string {
  if (wantedNodes === 0) return 'All nodes are deleted.';
  const nodes = `${wantedNodes} ${wantedNodes === 1 ? 'node' : 'nodes'}`;
  if (replacesNodes) return `${nodes}, which are replaced one by one by nodes of another size.`;
  return reloads ? `${nodes}. HAProxy reloads: ${reloadReason}` : `${nodes}. HAProxy does not reload.`;
}

/** A new member with a monitor is not up before its first votes, so it is not in the answer yet. */
function Answers({ preview }: { readonly preview: AnswersPreview }) {
  const refusal = refusedBy(preview);
  const { names, total } = preview;
  if (refusal !== undefined) return <p>{refusal}</p>;
  if (total === 0) return <p>No name uses it, so no answer changes.</p>;
  return (
    <>
      {names.map(({ fqdn, ...answers }) => {
        const before = zoneText(fqdn, [answers.before, answers.beforeIpv6]);
        const after = zoneText(fqdn, [answers.after, answers.afterIpv6]);
        return (
          <section key={fqdn} aria-label={`Answer of ${fqdn}`}>
            {before === after && <p>{fqdn} is answered as before, by the votes that there are now:</p>}
            <Text text={before === after ? after : `;; before\n${before}\n;; after\n${after}`} />
          </section>
        );
      })}
      {total > names.length && <p className="dim">{total - names.length} more names use it.</p>}
    </>
  );
}

function Text({ text }: { readonly text: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <pre tabIndex={0}>{text}</pre>
  );
}
