// To come.
export const Lenses = () => null;
