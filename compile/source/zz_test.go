package source
import ("testing";"strings";"time";"fmt")
func TestDeepTmp(t *testing.T){
 many:=""; for i:=range 20000{ many+=fmt.Sprintf("k%d=1\n",i)}
 tabs:=""; for i:=range 12000{ tabs+=fmt.Sprintf("[a.t%d]\nk=1\n",i)}
 for _,s:=range []string{"a = "+strings.Repeat("[",maxTOML-10),"a = "+strings.Repeat("[",100000)+strings.Repeat("]",100000),"a = "+strings.Repeat("{a=",60000)+"1"+strings.Repeat("}",60000), strings.Repeat("a.",100000)+"b=1", "["+strings.Repeat("a.",100000)+"b]", strings.Repeat("[[a]]\n",40000), 
 "x=["+strings.Repeat("1,",130000)+"]", "x=["+strings.Repeat("{a=1},",40000)+"]", many,tabs, "run = '''#!"+strings.Repeat("x\n",130000)+"'''","needs=["+strings.Repeat("'a',",60000)+"]"}{
  if len(s)>maxTOML {s=s[:maxTOML]}
  st:=time.Now(); _,dl,_:=readText(s); e:=""; if len(dl)>0{e=dl[0].Message}; if len(e)>90{e=e[:90]}
  t.Log(len(s),s[:12],time.Since(st),len(dl),e)
 }
}
