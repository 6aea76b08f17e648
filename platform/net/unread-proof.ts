// Why a device's host key or certificate could not be read.

export class UnreadProofError extends Error {
  /** The egress policy does not allow the connection. */
  readonly denied: boolean;

  constructor(message: string, options: { readonly denied: boolean }) {
    super(message);
    this.name = 'UnreadProofError';
    this.denied = options.denied;
  }
}
