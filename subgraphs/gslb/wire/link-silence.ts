/** For the links of checkers and name servers: after this silence they leave a suspended conductor for another one. */
export const linkSilentMs = 1_500;
