// A device's own error: its message first, then the code.
interface DeviceFaultProps {
  readonly fault: { readonly code: string; readonly message: string };
}

export function DeviceFault({ fault: { code, message } }: DeviceFaultProps) {
  return (
    <>
      {message} <code>{code}</code>
    </>
  );
}

/** A reason may begin with the code of a failure, for programs: `CONNECT_FAILED: it does not answer`. */
export function Reason({ text }: { readonly text: string }) {
  const [, code, message] = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*): (.+)$/s.exec(text) ?? [];
  return code === undefined || message === undefined ? text : <DeviceFault fault={{ code, message }} />;
}

/** For places that take a text alone. */
export function withoutCode(text: string): string {
  return text.replace(/^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*: /, '');
}
