// To come.
export const Groups = () => null;
