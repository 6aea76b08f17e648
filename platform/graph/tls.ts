/** Mutual TLS between gateways and subgraphs, in PEM: both show a certificate of one private authority, `ca`. */
export interface MutualTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}
