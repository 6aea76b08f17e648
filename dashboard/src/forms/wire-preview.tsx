// A preview of the request that a call sends. Only a button starts it, because it may query the device, and a refused dry run is audited.
export interface DryRun {
  /** The input that it was made for, as text. */
  readonly of: string;
  readonly wireCall: string | null;
  readonly deviceCheck: { readonly code: string; readonly message: string } | null;
}

interface WirePreviewProps {
  /** Null if there is none for the form's present input. */
  readonly dryRun: DryRun | null;
  readonly isBusy: boolean;
  readonly isAllowed: boolean;
  readonly onAsk: () => void;
}

export function WirePreview({ dryRun, isBusy, isAllowed, onAsk }: WirePreviewProps) {
  return (
    <section className="form-preview" aria-label="What would be sent">
      <h3>What would be sent</h3>
      {dryRun === null ? (
        <button type="button" disabled={!isAllowed} aria-busy={isBusy} onClick={onAsk}>
          Show what would be sent
        </button>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
          <pre tabIndex={0}>{dryRun.wireCall ?? 'Nothing.'}</pre>
          <p>{checkInWords(dryRun.deviceCheck)}</p>
        </>
      )}
    </section>
  );
}

function checkInWords(check: DryRun['deviceCheck']): string {
  if (check === null) return 'The device has no check of its own, so it may still refuse this.';
  return check.code === 'OK'
    ? `The device would accept it: ${check.message}`
    : `The device would refuse it: ${check.code}: ${check.message}`;
}
