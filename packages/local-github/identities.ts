/** What a token may do with the comments of a pull request. */
export type Access = 'none' | 'read' | 'write';

/** Whose token it is. An installation's is what a job gets; `app` names another app than GitHub Actions. */
export type Token = Readonly<
  { access: Access } & ({ kind: 'installation'; app?: string } | { kind: 'user'; login: string })
>;

/** An account as GitHub describes it beside a comment. */
export type Account = Readonly<{ login: string; id: number; type: 'User' | 'Bot' }>;

/** The login that a token writes as. */
export const loginOf = (token: Token): string =>
  token.kind === 'user' ? token.login : `${token.app ?? 'github-actions'}[bot]`;

const FIRST_ID = 41_898_282;

/** Gives each login an account, the same one each time. */
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
