// A device that presents a proof that is not accepted: the presented and the accepted proof, and a form to accept exactly the
// presented one.
import { useRef, useState } from 'react';
import { RelayCertificateAcceptDocument, RelayHostKeyAcceptDocument } from '../../../../generated/dashboard/graphql.ts';
import { useLiveState, usePage } from '../../context.ts';
import { Icon } from '../../view/icons.tsx';
import { isOperator } from '../../view/permissions.ts';
import { Failures } from '../../view/refusal.tsx';
import { useMutation } from '../../view/use-mutation.ts';
import { CredentialInputs, credentialsIn, useStoredFields } from './credential-inputs.tsx';
import { type Backend, backendKind } from './kinds/backend.ts';
import { lockPath } from './marks.tsx';
import { type ProofKind, pinnedOf, proofNames } from './proof.ts';

/** The question to the person; it does not change while they read. */
interface Question {
  readonly kind: ProofKind;
  readonly presented: string;
  readonly pinned: string | null;
}

export function ProofForm({ backend }: { readonly backend: Backend }) {
  const { viewer } = useLiveState();
  const dialog = useRef<HTMLDialogElement>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const { presented } = backend;
  if (presented === null) return null;
  const { kind, sha256 } = presented;
  const name = proofNames[kind];
  const pinned = pinnedOf(backend, kind);
  const isAllowed = isOperator(viewer, backend.project?.id);
  const ask = (): void => {
    setQuestion({ kind, presented: sha256, pinned });
    dialog.current?.showModal();
  };
  return (
    <section className="settle alarm" aria-labelledby="proof-title">
      <h3 id="proof-title">
        <Icon path={lockPath} />{' '}
        {pinned === null
          ? `The device shows an unknown ${name}`
          : `The device shows a different ${name} than the accepted one`}
      </h3>
      <p>
        {pinned === null
          ? `Calls are blocked until its ${name} is accepted.`
          : 'The device may have been reinstalled, or someone is intercepting the connection. Calls are blocked until you decide.'}
      </p>
      <Fingerprints presented={sha256} pinned={pinned} />
      <div className="actions">
        <button type="button" className="primary" disabled={!isAllowed} onClick={ask}>
          Accept it…
        </button>
        {!isAllowed && <span className="dim">Only an operator of its project can accept it.</span>}
      </div>
      <dialog ref={dialog} className="confirm" aria-labelledby="confirm-title" onClose={() => setQuestion(null)}>
        {question !== null && (
          <Confirmation backend={backend} question={question} onDone={() => dialog.current?.close()} />
        )}
      </dialog>
    </section>
  );
}

interface ConfirmationProps {
  readonly backend: Backend;
  readonly question: Question;
  readonly onDone: () => void;
}

function Confirmation({ backend, question, onDone }: ConfirmationProps) {
  const { store } = usePage();
  const { kind, presented, pinned } = question;
  const name = proofNames[kind];
  const hostKey = useMutation(RelayHostKeyAcceptDocument);
  const certificate = useMutation(RelayCertificateAcceptDocument);
  const { isBusy, failures } = kind === 'HOST_KEY' ? hostKey : certificate;
  const hasChanged = backend.presented?.sha256 !== presented || pinnedOf(backend, kind) !== pinned;
  const fields = useStoredFields(backend.id, pinned !== null);
  const accept = async (form: FormData): Promise<void> => {
    const credentials = credentialsIn(form, fields ?? []);
    const common = { id: backend.id, ...(credentials === undefined ? {} : { credentials }) };
    const payload =
      kind === 'HOST_KEY'
        ? await hostKey.send({ ...common, hostKeySha256: presented })
        : await certificate.send({ ...common, certificateSha256: presented });
    if (!payload?.backend) return;
    onDone();
    store.take(backendKind, [payload.backend]);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void accept(new FormData(event.currentTarget));
      }}
    >
      <h2 id="confirm-title">
        Accept this {name} of {backend.name}?
      </h2>
      <Fingerprints presented={presented} pinned={pinned} />
      <p>
        Compare the first one with the device's own, from its console or its administrator
        {kind === 'HOST_KEY' && (
          <>
            {' '}
            (<code>ssh-keygen -lf</code> on its public key)
          </>
        )}
        . From then on a device with this {name} is trusted as {backend.name} and receives its credentials.
      </p>
      {fields !== undefined && fields.length > 0 && (
        <>
          <p>The stored credentials are for the device with the previous {name}. Enter them again for this one.</p>
          <CredentialInputs fields={fields} />
        </>
      )}
      {hasChanged && !isBusy && (
        <p className="warning" role="alert">
          The device's answer has changed. Cancel and check again.
        </p>
      )}
      <Failures failures={failures} />
      <div className="actions">
        <button type="button" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={isBusy || hasChanged || fields === undefined}>
          {isBusy ? 'Accepting…' : `Accept this ${name}`}
        </button>
      </div>
    </form>
  );
}

function Fingerprints({ presented, pinned }: { readonly presented: string; readonly pinned: string | null }) {
  return (
    <dl className="fingerprints">
      <div data-which="presented">
        <dt>It shows</dt>
        <dd>{presented}</dd>
      </div>
      <div data-which="pinned">
        <dt>Accepted</dt>
        <dd>{pinned ?? <span className="dim">none yet</span>}</dd>
      </div>
    </dl>
  );
}
