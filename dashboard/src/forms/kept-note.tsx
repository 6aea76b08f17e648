// A note that the form has the values entered before the login ended.
export function KeptNote() {
  return (
    <p role="status" className="kept">
      This is what you entered before the login ended. Secrets are not kept: enter them again.
    </p>
  );
}
