// To come.
export const MapView = () => null;
