// The second step: a person compares the fingerprint with what the device itself prints. Until then no credential is entered.
import { useState } from 'react';
import { Moment } from '../../view/time.tsx';
import type { Proof } from './use-proof.ts';

interface FingerprintStepProps {
  readonly proof: Proof;
  readonly isAccepted: boolean;
  readonly onAccept: () => void;
}

export function FingerprintStep({ proof, isAccepted, onAccept }: FingerprintStepProps) {
  const [isCompared, setCompared] = useState(false);
  const { presented, keyAlgorithm, subject, issuer, validUntil } = proof;
  const isKey = presented.kind === 'HOST_KEY';
  return (
    <li aria-label="Fingerprint">
      <h3>Is this {isKey ? 'host key' : 'certificate'} its own?</h3>
      <dl className="fingerprints">
        <div data-which="presented">
          <dt>It shows</dt>
          <dd>{presented.sha256}</dd>
        </div>
        <div>
          <dt>The same</dt>
          <dd>{presented.hex}</dd>
        </div>
        {keyAlgorithm !== null && (
          <div>
            <dt>Kind</dt>
            <dd>{keyAlgorithm}</dd>
          </div>
        )}
        {subject !== null && (
          <div>
            <dt>Subject</dt>
            <dd>{subject}</dd>
          </div>
        )}
        {issuer !== null && (
          <div>
            <dt>Issuer</dt>
            <dd>{issuer}</dd>
          </div>
        )}
        {validUntil !== null && (
          <div>
            <dt>Valid until</dt>
            <dd>
              <Moment at={validUntil} />
            </dd>
          </div>
        )}
      </dl>
      <p>
        Check that this fingerprint is the device's own. Compare it with the one on the device's console, or ask its
        administrator:{' '}
        <code>{isKey ? 'ssh-keygen -lf KEY.pub' : 'openssl x509 -noout -fingerprint -sha256 -in CERT'}</code>. No
        credential was sent.
      </p>
      {!isAccepted && (
        <>
          <label className="choice">
            <input type="checkbox" checked={isCompared} onChange={({ target }) => setCompared(target.checked)} />I
            compared it and it matches
          </label>
          <div className="actions">
            <button type="button" className="primary" disabled={!isCompared} onClick={onAccept}>
              Accept this fingerprint
            </button>
          </div>
        </>
      )}
      {isAccepted && <p role="status">Accepted.</p>}
    </li>
  );
}
