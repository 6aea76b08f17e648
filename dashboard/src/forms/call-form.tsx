// The form of a call that is relayed to a backend: its fields, a preview of the call, the outcome, and the call as text.

import { useCallback } from 'react';
import { FormBackendDocument } from '../../../generated/dashboard/graphql.ts';
import { useDependencies, useLiveState } from '../context.ts';
import { Link } from '../view/link.tsx';
import { forbiddenBy } from '../view/permissions.ts';
import { Failures } from '../view/refusal.tsx';
import { useReading } from '../view/use-reading.ts';
import { CallFields } from './call-fields.tsx';
import { titleOfCall } from './calls.ts';
import type { Asked } from './form-address.ts';

type AskedCall = Extract<Asked, { readonly what: 'call' }>;

const everyMs = 600_000;

export function CallForm({ asked: { action, backendId, presets } }: { readonly asked: AskedCall }) {
  const { requester } = useDependencies();
  const { viewer } = useLiveState();
  const read = useCallback(
    async () => (await requester.request(FormBackendDocument, { id: backendId })).backend,
    [requester, backendId],
  );
  const { value: backend, failure } = useReading(read, undefined, everyMs);
  // If a later reading fails, the form keeps the last backend and all input.
  if (backend === undefined)
    return failure === null ? <p className="hint">Reading…</p> : <Failures failures={[failure]} />;
  if (backend === null)
    return <p className="warning">There is no backend with this id that you may see. It may have been deleted.</p>;
  return (
    <section className="form-page" aria-labelledby="form-title">
      <h2 id="form-title">{titleOfCall(action)}</h2>
      <p className="dim">{action.description}</p>
      <p>
        To <Link href={`/backend?${new URLSearchParams({ id: backend.id })}`}>{backend.name}</Link>, driver{' '}
        {backend.driverName}
        {backend.project !== null && `, project ${backend.project.name}`}.
      </p>
      <CallFields
        action={action}
        backend={backend}
        presets={presets}
        forbidden={forbiddenBy(viewer, action.role, backend.project?.id)}
      />
    </section>
  );
}
