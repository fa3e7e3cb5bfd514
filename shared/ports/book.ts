// The book port: sheets of plain cells as a file that people can open and file.

/** One sheet. A cell is a text or a number, and never anything that is computed when the file is opened. */
export interface Sheet {
  readonly name: string;
  readonly columns: readonly { readonly title: string; readonly width: number }[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** The bytes of an `.xlsx` file. */
export type WriteBook = (sheets: readonly Sheet[]) => Promise<Uint8Array>;
