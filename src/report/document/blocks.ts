/** A report as a row of blocks: what Markdown and HTML have in common. Text is plain; each renderer escapes it. */
export type Block =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  /** One line that says how bad and how sure a finding is, with its rule and place. */
  | {
      readonly kind: 'badges';
      readonly severity: string;
      readonly confidence: string;
      readonly parts: readonly string[];
    }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** Lines to be shown as they are. */
  | { readonly kind: 'code'; readonly lines: readonly string[]; readonly language: 'sh' | 'text' }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };
