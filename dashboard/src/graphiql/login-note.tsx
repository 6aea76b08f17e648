// The user whose rights GraphiQL's requests have. Follows the login of the dashboard in any tab.
import { useSyncExternalStore } from 'react';
import { hrefOf } from '../route.ts';
import type { Session } from '../session/session.ts';

export function LoginNote({ session }: { readonly session: Session }) {
  const status = useSyncExternalStore(
    (listener) => session.subscribe(listener),
    () => session.status,
  );
  return (
    <p className="login-note">
      {status === 'open' ? (
        "Requests carry the dashboard's login, unless an Authorization was put into the headers editor."
      ) : (
        <>
          Not logged in: <a href={hrefOf('/')}>log in on the dashboard</a>, in this tab or another, or put an
          Authorization into the headers editor of any tab.
        </>
      )}
    </p>
  );
}
