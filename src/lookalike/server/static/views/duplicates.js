// To come.
export const Duplicates = () => null;
