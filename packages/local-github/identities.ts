/** The access of a token to the comments of a pull request. */
export type Access = 'none' | 'read' | 'write';

/** The owner of a token. A job gets an installation token; `app` is for an app other than GitHub Actions. */
export type Token = Readonly<
  { access: Access } & ({ kind: 'installation'; app?: string } | { kind: 'user'; login: string })
>;

/** An account as it appears in a comment. */
export type Account = Readonly<{ login: string; id: number; type: 'User' | 'Bot' }>;

/** The login of the comments that a token writes. */
export const loginOf = (token: Token): string =>
  token.kind === 'user' ? token.login : `${token.app ?? 'github-actions'}[bot]`;

const FIRST_ID = 41_898_282;

/** Gives each login one account and always returns the same one. */
export class Accounts {
  readonly #known = new Map<string, Account>();

  of(login: string): Account {
    const account = this.#known.get(login) ?? {
      login,
      id: FIRST_ID + this.#known.size,
      type: login.endsWith('[bot]') ? ('Bot' as const) : ('User' as const),
    };
    this.#known.set(login, account);
    return account;
  }
}
