const decodeUplink = ({ bytes, recvTime, variables }) => ({ data: { temp: bytes[0] } });
