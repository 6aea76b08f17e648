// A backend's own reasons against calling it now. None of these reasons uses up an idempotency key: the same request may succeed
// later.
import { refuse } from '../../../../platform/errors/errors.ts';
import type { WireCall } from '../../drivers/driver.ts';
import { provesByHostKey, transportOf } from '../../drivers/options.ts';
import type { BackendRow } from './backend.ts';
import { passage } from './circuit.ts';

/** Refuses NOT_FOUND, BACKEND_DISABLED, HOST_KEY_UNKNOWN, CERTIFICATE_UNKNOWN or CIRCUIT_OPEN. */
export function refuseUnusable(
  backend: BackendRow,
  wire: WireCall,
  settings: { readonly circuitRetryMs: number },
): void {
  const field = ['input', 'backend'];
  if (backend.provisioningStatus === 'DELETED') refuse('NOT_FOUND', `backend ${backend.name} was deleted`, { field });
  if (backend.provisioningStatus === 'DISABLED')
    refuse('BACKEND_DISABLED', `backend ${backend.name} is disabled: enable it with backendUpdate`, { field });
  const ssh = provesByHostKey(transportOf(wire));
  if (ssh && backend.hostKeySha256 === null)
    refuse(
      'HOST_KEY_UNKNOWN',
      `no host key of backend ${backend.name} is accepted yet: accept it with backendHostKeyAccept`,
      {
        field,
      },
    );
  if (!ssh && backend.certificateSha256 === null && backend.caCertificates === null)
    refuse(
      'CERTIFICATE_UNKNOWN',
      `no certificate of backend ${backend.name} is accepted yet: accept it with backendCertificateAccept, or set caCertificates`,
      { field },
    );
  if (passage(backend, settings.circuitRetryMs) === 'HELD')
    refuse(
      'CIRCUIT_OPEN',
      `calls to backend ${backend.name} are refused while its circuit is open: ${backend.circuitReason ?? 'it keeps failing'}`,
      {
        field,
        retryAfterMs: settings.circuitRetryMs,
      },
    );
}
