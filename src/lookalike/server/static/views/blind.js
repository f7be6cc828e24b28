// To come.
export const Blind = () => null;
