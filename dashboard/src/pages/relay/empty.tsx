// Instructions for the relay's page while it is empty.
import { hrefOf } from '../../route.ts';

export function NoBackends() {
  return (
    <div className="empty">
      <h3>No backends yet</h3>
      <p>
        A backend is a device or service that receives relayed calls. Register one with the mutation{' '}
        <code>backendCreate</code> in <a href={hrefOf('/graphiql')}>GraphiQL</a>, or on the command line:
      </p>
      <pre>tidegate backends --help</pre>
      <p>
        To try it without a device, run <code>npm start</code> as root: it starts a lab with a real firewall and
        registers it.
      </p>
    </div>
  );
}

export function NoOperations({ hasBackends }: { readonly hasBackends: boolean }) {
  return (
    <div className="empty">
      <h3>No calls yet</h3>
      {hasBackends ? (
        <p>
          Accepted calls appear here immediately. Open the page of a backend and choose “First call”, or take the
          example in the first tab of <a href={hrefOf('/graphiql')}>GraphiQL</a>.
        </p>
      ) : (
        <p>Accepted calls appear here immediately. Register a backend first.</p>
      )}
    </div>
  );
}
