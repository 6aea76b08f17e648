// What the driver of a backend can do, with examples, and links to the forms of calls.

import { useCallback, useState } from 'react';
import {
  BackendExamplesDocument,
  type BackendExamplesQuery,
  type BackendPageQuery,
} from '../../../../generated/dashboard/graphql.ts';
import { titleOf } from '../../../../schema/kinds/words.ts';
import { useDependencies, useLiveState } from '../../context.ts';
import { containsWords } from '../../filters/filters.ts';
import { callLink } from '../../forms/links.ts';
import { formatJson, formatWord } from '../../view/format.ts';
import { Link } from '../../view/link.tsx';
import { Panel } from '../../view/panel.tsx';
import { isMember } from '../../view/permissions.ts';
import { ScrollRegion } from '../../view/scroll-region.tsx';
import { Skeleton } from '../../view/skeleton.tsx';
import { useRepeated } from '../../view/use-repeated.ts';

type Backend = NonNullable<BackendPageQuery['backend']>;

const examplesEveryMs = 600_000;

interface ExamplesPanelProps {
  readonly backend: Backend;
  readonly text: string;
}

/** Of its driver's operations. */
export function ExamplesPanel({ backend, text }: ExamplesPanelProps) {
  const { driverName, project } = backend;
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const read = useCallback(
    async () => (await requester.request(BackendExamplesDocument, {})).relayDrivers,
    [requester],
  );
  const drivers = useRepeated(read, examplesEveryMs);
  const { operations = [], typedMutations = [] } = drivers?.find(({ name }) => name === driverName) ?? {};
  const mayCall = isMember(viewer, project?.id);
  const shown = operations.filter((operation) => containsWords(text, [operation.name, operation.summary]));
  return (
    <Panel name="examples" title="Examples" summary={`driver ${driverName}`}>
      <ScrollRegion list="examples" label="Examples of calls">
        {drivers === null && <Skeleton />}
        {mayCall && <CallLinks backend={backend} mutations={typedMutations} />}
        <ul className="calls">
          {shown.map((operation) => (
            <li key={operation.name}>
              <ExampleItem operation={operation} backend={backend} mayCall={mayCall} />
            </li>
          ))}
        </ul>
      </ScrollRegion>
    </Panel>
  );
}

interface CallLinksProps {
  readonly backend: Backend;
  readonly mutations: readonly string[];
}

/** Forms of the calls that all drivers of a family have. */
function CallLinks({ backend: { id }, mutations }: CallLinksProps) {
  if (mutations.length === 0) return null;
  return (
    <ul className="call-forms" aria-label="Calls with a form">
      {mutations.map((mutation) => (
        <li key={mutation}>
          <Link className="form-link" href={callLink(mutation, id)}>
            {titleOf(mutation)}
          </Link>
        </li>
      ))}
    </ul>
  );
}

interface ExampleItemProps {
  readonly operation: BackendExamplesQuery['relayDrivers'][number]['operations'][number];
  readonly backend: Backend;
  readonly mayCall: boolean;
}

function ExampleItem({ operation, backend: { id, name: backendName }, mayCall }: ExampleItemProps) {
  const { name, summary, effect, example } = operation;
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        <span className="mono name">{name}</span> <span className="dim">{formatWord(effect)}</span> {summary}
      </summary>
      {isOpen && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: text that scrolls must be reachable by keyboard. */}
          <pre className="block" tabIndex={0}>
            {formatJson({ backend: { name: backendName }, operation: name, arguments: example })}
          </pre>
          {mayCall && effect !== 'READ' && (
            <Link
              className="form-link"
              href={callLink('relayCall', id, { operation: name, arguments: JSON.stringify(example) })}
            >
              Call {name}
            </Link>
          )}
        </>
      )}
    </details>
  );
}
